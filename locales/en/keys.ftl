# New keys for a hub.

help-hub-replace-keys = Replace the keys of a hub that is stopped, and write a backup at once.
help-keys-backup = New backup file, with the new keys.
help-keys-root = File of the commune root, if it does not lie in the folder.
cli-keys-replaced = ✓ The keys are replaced, key history number { $number }. Phones follow at their next contact.
