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
cli-report-answered = Answered { $id }: { $before } → { $state }
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

# Photographs.
incident-photo-spoken = Scene photo { $n }, smaller copy
incident-photo-save = Save the original
incident-photo-changed = This file is not what it was when it came, so it is not opened. The hub has asked the phone for it again.
incident-custody = Custody record
incident-custody-caption = What was done with this photo, oldest first.

# Pages that stay open, keys.
incident-live-new = { $n ->
    [one] { $n } new · See
   *[other] { $n } new · See
 }
incident-live-urgent = { $n ->
    [one] { $n } new urgent report
   *[other] { $n } new urgent reports
 }
incident-live-changed = ● just changed
incident-live-over = The session is over. Sign in again
keys-title = Keys
keys-step = One line down, up
keys-open = Open the chosen report
keys-close = Close
keys-off = No keys on this computer

# Print. The paper itself is always in Vietnamese; these words tell what it says.
incident-print = Print the minute
audit-print-incident = printed the minute
code-action-print-incident = printed the minute
print-title = MINUTE
print-about = of an event
print-draft = DRAFT
print-draft-why = A draft until it is signed.
print-back = Back to the report
print-how = Print with Ctrl+P, on A4.
print-committee = PEOPLE'S COMMITTEE
print-group = SECURITY AND ORDER GROUP
print-number = No.: …/BB-…
print-country = SOCIALIST REPUBLIC OF VIET NAM
print-motto = Independence - Freedom - Happiness
print-dated = { $place }, { $day }/{ $month }/{ $year }
print-begun = Drawn up at:
print-hour = hours
print-at = In:
print-present = People present:
print-what = Event:
print-when = It happened:
print-where = Where:
print-reporter = Reported by:
print-evidence = Scene photos:
print-photos = { $lacking ->
    [0] Photos: { $n }
   *[other] Photos: { $n }, not here whole or altered: { $lacking }
 }
print-seen = Seen
print-heard = Heard from others
print-think = What the reporter thinks, not facts
print-end = The minute was finished at …… hours …… of the same day, read again to everybody, found right and signed.
print-writer = WRITTEN BY
print-witness = WITNESS
print-chair = CHAIR
print-sign = (signature, full name)
print-sent = To:
print-kept = File: ……
print-printed = Printed by { $who } at { $when }
