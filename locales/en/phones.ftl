# Phones: joining codes, the four words, lost phones.

phones-codes = Joining codes
phones-code-new = Make a code
phones-code-member = For somebody in the list
phones-code-somebody-new = — somebody new, named below —
phones-code-somebody = Or for somebody new
phones-code-more = A code works once, within 10 minutes. The phone then waits until the four words are compared; a chief's code needs a second person.
phones-code-make = Make the code
phones-code-make-other = Code for another phone
phones-code-needs-name = A name is needed, not too long.
phones-code-needs-hamlet = Choose the hamlet.
phones-hamlet-new = Or a new hamlet, not on the list
phones-codes-day = Codes of the last day
phones-codes-none = No code was made.
phones-code-for = For whom
phones-code-open = Not used yet, ends { $until }
phones-code-over = Ended { $until }, nobody used it
phones-code-waits = Phone { $phone } waits for its words since { $at }
phones-code-used = Phone { $phone } joined { $at }
phones-code-revoked = Phone { $phone } was revoked
phones-code-again = { $at }: another phone tried a code that was used. Somebody may have photographed it: compare the four words with care and look at the phone that joined last.
phones-code-qr = QR code for joining
phones-code-until = It works until
phones-code-once = The code is shown once. Let nobody else photograph it.
phones-code-text = The code as text, when it cannot be scanned
phones-code-next = When the phone has scanned it
phones-code-next-more = The phone shows four words. Have them read to you and compare them with the next page.
phones-code-look = Show the four words
phones-code-look-again = Look again

phones-waiting = Phones that wait for their words
phones-words-ask = Whoever holds the phone reads its four words aloud. Are they:
phones-words-agree = The words agree
phones-words-differ = The words differ
phones-words-agreed = The phone has joined. What it recorded comes when it sends again.
phones-words-differed = That phone was revoked. Make a new code for the person who is to join.
phones-words-late = This phone does not wait any more.

phones-chief = A chief's code
phones-chief-asks = { $by } asks for a chief's code for { $name }. It waits for a second person until { $until }.
phones-chief-more = Whoever carries this code has every right of a chief. Agree when you know that person; the code is shown to whoever agrees.
phones-chief-agree = Agree and make the code
phones-chief-refuse = Do not agree
phones-chief-agreed = Somebody has agreed.
phones-chief-not = It was not agreed to.
phones-chief-late = The time for it is over.

cli-four-words = Four words: `{ $words }`. Read them to the commune police when the code was made in the console.
phones-state-waiting = Waits for its words
phones-none-of-member = This person has no phone yet.
phones-never = Never
phones-awaited = Still on the phone
phones-awaited-none = Nothing that is known
phones-awaited-entries = { $n ->
    [one] { $n } entry
   *[other] { $n } entries
}
phones-awaited-files = { $n ->
    [one] { $n } photo
   *[other] { $n } photos
}
phones-expires = Certificate ends
phones-device = Full name
phones-lost = Phone lost
phones-revoke = Revoke
phones-gone-now = From this moment the hub trusts nothing this phone says and sends it nothing.
phones-gone-kept = What was recorded is not lost: whatever the phone still sends is kept apart and can be looked at.
phones-gone-lost = Its member joins with another phone within 10 minutes.
phones-gone-revoked = To be used again this phone must join with a new code.
phones-gone-do-lost = Report this phone lost
phones-gone-do = Revoke this phone
phones-gone-not = No, go back

# Patrol plans and checkpoints.

plans-title = Patrol plans
plans-none = There is no plan yet.
plans-who = Who
plans-days = Days
plans-hours = Hours
plans-from = From
plans-to = To
plans-hours-more = An end that is not after the beginning is on the next day.
plans-next-day = next day
plans-new = Another plan
plans-make = Add the plan
plans-end = End this plan
plans-needs-who = Choose who walks.
plans-needs-hours = Hours are needed, as 22:00.
plans-needs-days = Choose at least one day.
plans-day-0 = Monday
plans-day-1 = Tuesday
plans-day-2 = Wednesday
plans-day-3 = Thursday
plans-day-4 = Friday
plans-day-5 = Saturday
plans-day-6 = Sunday
plans-coming = Coming
plans-under-way = Under way
plans-awaited = Due, not seen yet
plans-walked = Walked
plans-missed = No patrol seen
plans-ahead = Planned: under way and coming
plans-ahead-none = Nothing is planned for the next two days.
plans-missed-title = Planned and not seen, last seven days
plans-missed-none = None is missing.
plans-missed-more = A phone without signal delivers later; then its line goes from here.
plans-coverage = By hamlet and week
plans-coverage-more = Patrols and check-ins, by weeks from Monday.
plans-covered = { $patrols ->
    [one] { $patrols } patrol
   *[other] { $patrols } patrols
}, { $checkins ->
    [one] { $checkins } check-in
   *[other] { $checkins } check-ins
}
plans-open = Patrol plans
plans-checkpoints = Checkpoints
plans-checkpoints-none = There is no checkpoint yet.
plans-checkpoint-new = Another checkpoint
plans-checkpoint-add = Add the checkpoint
plans-checkpoint-close = Take away
plans-checkpoint-more = Decimal degrees, as a phone or a map shows them. The hub gives the code; name and place reach the hamlet's phones with their next news.
plans-checkpoint-needs-name = A name is needed, not too long.
plans-checkpoint-needs-place = Latitude and longitude are needed, as 20.66012 and 105.08345.
plans-checkpoints-full = This hamlet has as many checkpoints as it can.
plans-name = Name of the spot
plans-code = Code
plans-place = Place
plans-lat = Latitude
plans-lon = Longitude
plans-sheet = Sheet of checkpoint codes
plans-sheet-print = Sheet to print
plans-sheet-more = Print on A4, cut apart, hang up at the checkpoint where it stays dry. Anybody can photograph a code: it only says that somebody was near the paper.

# Data for other programs.

features-about = Patrols, check-ins and incidents of the commune, for map programs. Every read is recorded.

# What the record of reads calls these.

code-action-code-made = made a joining code
code-action-hamlet-added = added a hamlet
code-action-not-there = asked for what is not at this address
code-action-words-agree = four words compared: they agree
code-action-words-differ = four words compared: they differ
code-action-chief-proposed = asked for a chief's code
code-action-chief-agreed = agreed to a chief's code
code-action-chief-not-agreed = did not agree to a chief's code
code-action-list-phones = looked at somebody's phones
code-action-list-codes = listed joining codes
code-action-list-plans = listed patrol plans
code-action-plan-made = added a patrol plan
code-action-plan-ended = ended a patrol plan
code-action-checkpoint-added = added a checkpoint
code-action-checkpoint-closed = took a checkpoint away
code-action-export-features = read features for a map
audit-code-made = made a joining code
audit-hamlet-added = added a hamlet
audit-not-there = asked for what is not at this address
audit-words-agree = four words compared: they agree
audit-words-differ = four words compared: they differ
audit-chief-proposed = asked for a chief's code
audit-chief-agreed = agreed to a chief's code
audit-chief-not-agreed = did not agree to a chief's code
audit-list-phones = looked at somebody's phones
audit-list-codes = listed joining codes
audit-list-plans = listed patrol plans
audit-plan-made = added a patrol plan
audit-plan-ended = ended a patrol plan
audit-checkpoint-added = added a checkpoint
audit-checkpoint-closed = took a checkpoint away
audit-export-features = read features for a map
