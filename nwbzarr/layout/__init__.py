"""How an array is cut into chunks and shards, and with which codecs: decided as data, before anything is written."""
