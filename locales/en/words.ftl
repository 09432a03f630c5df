# Words shared by every face. id = "word-" + the code of docs/GLOSSARY.md.
# The mark (✓ ✓→ ✓✓ ‖) is part of the word: shape first, then the word, colour last.

word-patrol = Patrol
word-check-in = Check in
word-checkpoint = Checkpoint
word-incident-report = Report
word-urgent = Urgent
word-amend = Add
word-evidence-photo = Scene photo
word-voice-note = Voice note

# Where a statement comes from: no answer is preset.
word-basis-seen = I saw
word-basis-heard = I was told
word-basis-think = I think

# The way of one item.
word-unsent = ✓ Saved, to send
word-sent = ✓→ Sent, no receipt yet
word-received = ✓✓ Received
word-parked = ‖ Set aside
word-outbox = To send

word-triage-seen = Seen by police
word-triage-in-hand = In hand
word-triage-needs-more = Needs more
word-triage-resolved = Resolved
word-triage-passed-on = Passed on

word-alert = Alert
word-severity-extreme = Act now
word-severity-severe = Danger
word-severity-moderate = Be ready
word-severity-minor = Information
word-severity-unknown = Level unknown
word-answer-seen = Seen
word-answer-going = I'm going
word-answer-cannot = Can't come
word-answer-done = Done
word-drill = DRILL
word-exercise = Exercise

word-hand-over = Hand over phone
word-lock = Lock
word-enrolment-code = Joining code
word-four-words = Four words
word-hub = Commune hub
word-commune-police = Commune police
word-hamlet = Hamlet
word-group = Group
word-group-leader = Group leader
word-member = Member
word-courier = Send by another phone
word-rescue-export = Rescue unsent work

word-gps-gap = Place unknown
word-accuracy = Within about { $distance }
word-mock-gps = Place from another app
word-clock-wrong = Clock is off
word-storage-full = Storage full
word-battery-saver = Battery saver

word-tip = Residents' tip
word-denunciation = Denunciation
word-conciliation = Conciliation
word-weapons-handed-in = Weapons handed in
word-activity = Activity
word-form = Form
word-monthly-report = Monthly report
word-cluster = Cluster
word-score-sheet = Score sheet
word-duty-roster = Duty roster
word-allowance = Allowance
word-person-in-a-report = Person mentioned
