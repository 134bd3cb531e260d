"""The page, the JSON interface and the stream of warnings over HTTP. What it shows and takes comes through `ports`."""
