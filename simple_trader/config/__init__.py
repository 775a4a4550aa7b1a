"""Configuration: config.yaml and .env become one frozen, hashed version of the settings."""
