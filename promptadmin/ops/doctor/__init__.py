"""What `promptadmin doctor` looks at: Django's system checks with the tag `doctor`.

The platform's own are in `checks`. A plugin registers its own in a module `doctor` of its package, which is imported
when the doctor runs; docs/plugins.md says how. No check changes anything: each runs where the engine refuses to write.
"""
