"""What meets other tools where they are: PyNWB."""
