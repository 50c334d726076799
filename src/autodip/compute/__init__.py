"""Computing resources: devices, clusters and the random initial weights of networks."""
