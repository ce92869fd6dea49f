"""Commands that give people and programs a role's credentials, in the forms that AWS's own tools read."""
