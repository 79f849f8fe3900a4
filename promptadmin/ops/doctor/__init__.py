"""What `manage.py doctor` looks at: small checks that say what they found and what to do about it.

The platform's checks live here. A plugin adds its own in a module `doctor` of its package, which is found by that
name: functions under `promptadmin.ops.doctor.registry.check`, with ids that begin with letters of the plugin's own. No
check changes anything: each runs in a read session, where the engine refuses to write.
"""
