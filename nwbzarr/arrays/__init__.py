"""Values of stored arrays, in and out: chunks and shards, coalesced, concurrent and bounded in memory."""
