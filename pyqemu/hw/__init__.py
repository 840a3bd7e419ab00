"""Device models, one file each, by class. They know buses, lines and clocks; no board and no CPU."""
