# Alerts: who has one, who is silent, CAP.
warn-alert = Alert
warn-rung-none = Not on a phone yet
warn-rung-delivered = On the phone
warn-replaced = Replaced
warn-update = Update
warn-cancel = Taken back
warn-ladder = Member by member
warn-ladder-more = Whoever has not answered stands first
warn-nobody = This alert is for nobody in these hamlets.
warn-member = Member
warn-hamlet = Hamlet
warn-rung = Rung
warn-since = Since
warn-silent-since = { $n ->
    [one] { $n } member is silent, counted from { $since }.
   *[other] { $n } members are silent, counted from { $since }.
} Reminded: { $reminded }.
warn-before = Replaces the alert
warn-after = Replaced by
warn-update-do = Update
warn-cancel-do = Take back
warn-as-cap = Download (CAP)
warn-update-of = Update of: { $headline }
warn-cancel-of = Taking back: { $headline }
warn-cancel-headline = No longer: { $headline }
warn-cancel-instruction = The alert before no longer needs to be followed.
warn-needs-all-places = This must go to every hamlet that had the one before.
warn-message = { $severity }: { $headline }. { $place }. Open the phone and answer.
warn-cap-read = Read a CAP alert
warn-cap-more = Choose a CAP file of another service, or paste it. Nothing is sent before it was looked at.
warn-cap-file = CAP file
warn-cap-text = Or paste it
warn-cap-look = Read
warn-cap-from = From { $sender }. Places it names: { $places }. Look at everything before sending.
warn-cap-nothing = There is no file and no text.
warn-cap-too-large = The file is too long for an alert.
warn-cap-encoding = The file is not UTF-8, or has control characters.
warn-cap-dtd = The file has a DTD. It was not read: a DTD can pull in other files.
warn-cap-malformed = The file is not well-formed XML, or was cut short.
warn-cap-not-cap = The file is not a CAP 1.1 or 1.2 alert.
warn-cap-missing = The alert lacks { $element }.
warn-cap-value = { $element } is not as CAP has it.
warn-cap-not-for-people = This is a message between machines ({ $element }), not for people.
warn-cap-no-info = The alert says nothing that could be sent.
warn-cap-known = This alert is here already.
warn-cap-differs = Another alert has the same name. The new one was set aside. Call its sender.
warn-cap-future = It says it was sent at { $at }, which has not come. It was set aside. Look at the clock, call its sender.
warn-cap-cancelled = Its sender took this alert back before it came.
warn-cap-expired = This alert has expired.
warn-status-delivered = Alerts: copies on phones { $delivered }, answers { $answers }
warn-list-rungs = { $addressed ->
    [one] { $addressed } member
   *[other] { $addressed } members
    }: { $none } not on a phone, { $delivered } on the phone, { $seen } seen, { $going } going, { $cannot } cannot come, { $done } done
help-sync-wait = Stay connected for so many seconds and take in alerts as they come.
