"""A playground on this machine: the service beside a small review site that stands for the origin."""
