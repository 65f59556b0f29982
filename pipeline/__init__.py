"""Getting the shop into AWS: the account's bootstrap, the smoke check, and the rehearsal of a deployment."""
