# Incidents in the console: answers, assignment, links, thread, photographs, timeline, print.

incident-state = State:
incident-state-new = New
incident-take = Take note
incident-open-ones = Open
incident-all-ones = All
incident-linked-n = { $n ->
    [one] { $n } other report of the same event
   *[other] { $n } other reports of the same event
 }

# Answering the reporter.
incident-talk = Talk with the reporter
incident-talk-none = Nothing was said yet.
incident-tell = Tell the reporter
incident-note = Message (if needed)
incident-note-how = The reporter reads this on the phone. Write only what that person needs.
incident-send = Send to the reporter
incident-words-erased = These words were erased when their time was over.
incident-kept = Kept because:
incident-keep = Keep it, say why
incident-sensitive-how = Change the message, or say below why it stays.
incident-note-long = The message is too long. Make it shorter.
incident-note-control = The message has hidden characters. Type it again.
incident-nothing-said = Choose another state or write a message, then send.
incident-ask-what = More of what? Write the question, so that the reporter knows what to look for.
incident-since = { $who } was first, at { $when }: { $state }. What was sent now was not taken; look again and send it if it is still needed.
incident-too-many = This report has too many steps already. Nothing was changed.

# Assigning, linking.
incident-more = Who goes, same event
incident-give = Say who is to go
incident-who = Who goes
incident-nobody = Nobody yet
incident-give-how = The reporter is told who comes. Call that group to be sure that they know.
incident-give-go = Assign
incident-gave = Assigned: { $who }
incident-gave-nobody = Assignment taken back
incident-link = Another report tells of the same event
incident-link-which = Which report
incident-link-how = Both reports stay as they are; each page leads to the other.
incident-link-go = Link the reports
incident-link-none = There is no report near this one in time.
incident-link-unknown = That report was not found. Nothing was changed.
incident-linked = Linked to another report of the same event
incident-unlinked = Link to another report taken back
incident-unlink = Unlink
incident-twins = Other reports of the same event

# To the reporter's phone.
incident-told-assigned = Coming to help: { $who }.

# Timeline.
incident-timeline = Timeline
incident-when-reported = Recorded on the phone
incident-when-message = Message received
incident-when-photo = Photo { $n } received, intact
incident-when-erased = Photo { $n } destroyed

# The record of reads.
audit-assign-incident = said who is to go
audit-link-incident = linked reports of one event
audit-unlink-incident = took a link back

# Command line.
help-hub-answer = Answer a report: its reporter reads it on the phone
help-answer-incident = The incident, as hub list incidents has it
help-answer-state = received (seen), in_hand, needs_more, resolved, not_for_us (passed on)
help-answer-note = A message to the reporter
help-answer-keep = Why words about ethnicity, religion or illness stay in the message
cli-answered = Answered { $id }: { $before } → { $state }
reason-sensitive = speaks of ethnicity, religion or illness: leave that out, or say with --keep why it stays
code-state-new = new
code-state-received = seen by police
code-state-in-hand = in hand
code-state-needs-more = needs more
code-state-resolved = resolved
code-state-not-for-us = passed on
code-action-assign-incident = said who is to go
code-action-link-incident = linked two reports
code-action-unlink-incident = unlinked two reports
