# Incidents in the console: answers, assignment, links, thread, photographs, timeline, print.

incident-told-assigned = Coming to help: { $who }.
incident-state-new = New

# The record of reads.
audit-assign-incident = said who is to go
audit-link-incident = linked reports of one event
audit-unlink-incident = took a link back
