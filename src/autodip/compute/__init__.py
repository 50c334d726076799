"""Where things are computed: devices, clusters, random initial weights."""
