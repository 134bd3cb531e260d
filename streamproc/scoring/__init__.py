"""From facts to log-odds: features, the parametric prior, snapshots, contributions. Pure and vectorised."""
