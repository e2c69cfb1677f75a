"""From a store's tree to a session people can touch: containers, lazy arrays, links."""
