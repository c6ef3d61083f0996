"""The dossier of a site: what installer, firewall team, certificate team and carrier need, as values."""
