"""What sources share when they ask a provider, and when they are told: tokens of their own, secrets, times."""
