"""The app that installs the channel in Zendesk: checked, and packed for one environment."""
