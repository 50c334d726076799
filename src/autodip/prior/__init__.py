"""What is learned from other images: a network trained on clean images and simulated cameras."""
