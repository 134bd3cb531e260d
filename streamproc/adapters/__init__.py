"""Where the project meets the world: each adapter carries out what the pure rooms decide."""
