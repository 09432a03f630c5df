# Words of the commune police's pages.

console-inbox = Inbox
console-alerts = Alerts
console-patrols = Patrols
console-map = Map
console-empty = Nothing new. The hamlet is calm.
console-purpose = What is it needed for?
console-read-logged = This view is recorded.

# Frame of every page.
console-people = People and phones
console-nav = Sections
console-skip = Skip to content
console-leave = Sign out
console-next-page = Next 50
console-commune = Commune
console-time-unknown = Time unknown
console-name-unknown = No name yet
console-member-number = Member number { $n }

# The door, and pages of one sentence.
console-door = The door
console-come-in = These pages are for the commune police. Without an account, ask the chief for a link.
console-link-closed = This link was used or has expired. Ask for a new one.
console-too-many-tries = Too many tries. Wait a minute, then try again.
console-left = Signed out
console-left-more = You signed out on this computer.
console-form-old = The page was open too long or is not from here. Open it again and resend; nothing has changed.
console-not-found = No such page
console-nothing-here = There is nothing at this address.
console-not-done = Not done
console-not-taken = The request has not the right form. Nothing has changed.
console-hub-trouble = The hub could not answer. Data is kept; try again in a few minutes.

# Inbox.
console-search = Search reports (no diacritics needed)
console-search-go = Search
console-search-all = Show all
console-found = Reports with “{ $query }”.
console-found-nothing = No report matches.
console-amended = { $n ->
    [one] { $n } addition
   *[other] { $n } additions
}
console-branch = The log of this phone contradicts itself; talk to its holder.
console-no-photos = no photos
console-photos-here = { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} intact
console-photos-missing = { $n ->
    [one] { $n } photo missing, still on phone { $phone }
   *[other] { $n } photos missing, still on phone { $phone }
}
console-photos-unnamed = { $n ->
    [one] Phone { $phone } announced { $all }; one was never named
   *[other] Phone { $phone } announced { $all }; { $n } were never named
}: not taken yet, not sent yet, or the phone went off in between. Ask the author, who can add photos.
console-photos-altered = ‖ { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} altered, look at them
console-now = Going on now
console-alerts-live = Live alerts
console-alerts-none = No alerts.
console-patrols-none-now = No patrol is out.

# One incident.
console-purpose-duty = Duty officer takes it in
console-purpose-verify = Verifying the incident
console-purpose-help = Sending help
console-purpose-other = Another purpose
console-purpose-needed = Choose or write a purpose, then open.
console-open = Open content
console-advice = Safety first.
console-facts = Facts
console-facts-none = Nothing said yet.
console-opinions = Opinion, not yet fact
console-basis-unstated = Seen or told: not said
console-author = Reported by:
console-place = Place
console-photo-number = Photo { $n }
console-photo-verified = ✓✓ Intact, received
console-photo-expected = Not here yet, on the phone
console-photo-partial = Arriving, not whole yet
console-photo-missing = ‖ Missing: came, then was lost here
console-photo-altered = ‖ Altered
console-photo-erased = Destroyed: its time was over, or an order
console-photo-erased-at = Destroyed on { $at }: its time was over, or an order
console-fingerprint = Fingerprint of the photo (SHA-256)

# Patrols.
console-patrol-running = Patrol under way
console-patrol-paused = Paused
console-patrol-finished = Finished
console-patrols-none = No patrol yet.
console-patrols-caption = Newest patrol first.
console-check-ins = { $n ->
    [one] { $n } check-in
   *[other] { $n } check-ins
}
console-col-patrol = Patrol
console-col-state = State
console-col-leader = Recorded by
console-col-distance = Distance
console-col-last = Last
console-col-number = No.
console-col-time = Time
console-col-note = Note
console-check-ins-title = Check-ins
console-check-ins-caption = In the order recorded. A stretch without a place has its own line.
console-check-ins-cut = { $n } of { $all } are here; the exported file has all.
console-patrol-incidents = Reported on this patrol
console-patrol-calm = Nothing. The hamlet is calm.
console-gaps-none = No gaps.
console-see-list = See the list
console-sketch-start = start
console-sketch-end = end
console-sketch-north = N
console-sketch-caption = Dots: check-ins. Broken circle: accuracy. Two caps: place unknown, no line is drawn.
console-sketch-of = Sketch of the place: { $what }, { $place }
console-sketch-patrol = Sketch of the patrol: { $n ->
    [one] { $n } check-in
   *[other] { $n } check-ins
}, { $distance }, { $gaps ->
    [one] { $gaps } gap
   *[other] { $gaps } gaps
}. The list is below.

# Alerts.
console-alerts-over = Expired or taken back
console-alert-live = Live
console-alert-over = Expired
console-alert-cancelled = Taken back
console-alert-times = Sent { $sent } · until { $until }
console-alert-two = { $first } and { $second }
console-whole-commune = Whole commune
console-alert-for = Sent for (members)
console-alert-new = Compose an alert
console-alert-headline = What (one line)
console-alert-instruction = What to do
console-alert-description = More (if needed)
console-alert-severity = Level
console-alert-hamlets = To hamlets
console-alert-second = another officer must agree before it is sent.
console-hamlets-none = No hamlets yet. Import their list at the hub first.
console-alert-life = Holds for
console-alert-drill-more = no siren; marked as a drill above and below
console-alert-look = Preview
console-alert-preview = Preview before sending
console-alert-preview-more = Phones will show this. Not sent yet.
console-alert-until = Until
console-alert-for-n = { $n ->
    [one] For { $n } member of these hamlets.
   *[other] For { $n } members of these hamlets.
}
console-alert-send = Send alert
console-alert-again = Start again
console-alert-needs-headline = Say what, in one short line.
console-alert-needs-instruction = Say what to do.
console-alert-too-long = The added text is too long.
console-alert-needs-severity = Choose a level.
console-alert-needs-hamlet = Choose at least one hamlet, or the whole commune.
console-alert-needs-life = Choose how long it holds.

# People and phones.
console-search-people = Search a person or hamlet (no diacritics needed)
console-people-count = { $n ->
    [one] { $n } person
   *[other] { $n } people
}, { $hamlets ->
    [one] { $hamlets } hamlet
   *[other] { $hamlets } hamlets
}.
console-people-none = Nobody is listed.
console-people-caption = By hamlet, group, name.
console-col-name = Name
console-col-role = Role
console-col-hamlet = Hamlet
console-col-group = Group
console-col-phones = Phones
console-odd-name = (unusual letters in the name)
console-role-officer = Commune police officer
console-role-chief = Chief of commune police
console-role-auditor = Outside reviewer
console-phones = Phones
console-phones-none = No phone has joined.
console-phones-caption = Newest first. A lost phone: open it and say that it is lost.
console-col-phone = Phone
console-col-entries = Entries
console-phone-active = In use
console-phone-expired = Certificate expired
console-phone-revoked = Revoked
console-phone-lost = Reported lost

# The commune's table file (hub import). Each sentence is about one line of it.
import-empty = The file has no row to take.
import-too-large = The file is larger than { $most }.
import-too-many = The file has more than { $most } rows; divide it into several.
import-not-utf8 = The text is not UTF-8; save the file as "CSV UTF-8".
import-not-a-table = This is not a CSV file.
import-no-hamlet-column = The first line has no column "hamlet" (or bản, thôn, xóm).
import-column-twice = The column "{ $column }" means the same as one before it.
import-too-many-cells = More cells than the first line has; check the separator.
import-no-hamlet = The name of the hamlet is missing.
import-name-too-long = The name is longer than { $most } characters.
import-hidden-characters = The name "{ $name }" has hidden characters; type it again.
import-half-a-place = A place needs latitude and longitude.
import-bad-latitude = The latitude "{ $value }" is no number from -90 to 90.
import-bad-longitude = The longitude "{ $value }" is no number from -180 to 180.
import-centre-differs = The place of the hamlet differs from line { $line }.
import-member-twice = This person stands on line { $line } already; if they are two, add a word that tells them apart.
import-unknown-role = The role "{ $role }" cannot be given by a file; write "leader", "deputy" or "member".
import-role-without-name = There is a role but no name.
import-more-bad-rows = { $n } more rows need mending.
console-photos-erased = { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} destroyed

# The doors, accounts.
console-sign-in = Sign in
console-login = Sign-in name
console-password = Password
console-code = 6-digit code
console-code-more = The code in your code application; without your phone, type one recovery code.
console-passkey-sign-in-more = Does this device have a passkey? Type the name above, then press:
console-passkey-sign-in = Sign in with a passkey
console-passkey-not = The passkey could not be used. Sign in with password and 6-digit code.
console-proofs-wrong = Name, password or code is not right. Each code works once; wait for the next.
console-wait = Too many wrong tries. Wait { $wait }, then try again.
console-join = Open an account
console-join-for = Account of
console-join-login = Name and password
console-join-code = 6-digit codes on your phone
console-join-code-more = Open a code application (such as FreeOTP or Google Authenticator) and scan this picture.
console-join-qr = QR code for a code application
console-join-secret = Cannot scan? Type:
console-join-code-now = The code it shows now
console-join-open = Open account
console-password-more = At least 10 characters. A few unrelated words are easy to remember and hard to guess; not your name.
console-password-again = The password again
console-passwords-differ = The two passwords are not the same.
console-password-short = This password is too short: at least 10 characters.
console-password-long = This password is too long: at most 128 characters.
console-password-guessable = This password is easy to guess. Take a few unrelated words, without your name or the commune's.
console-login-unfit = A sign-in name has 2 to 60 characters.
console-login-taken = Somebody has this sign-in name already. Choose another.
console-code-wrong = The 6-digit code is not right. See that your phone's clock is right, then type the code it shows.
console-recovery = Recovery codes
console-recovery-more = Write down or print these ten codes and keep them safe. Each replaces one 6-digit code once. This page is not shown again.
console-recovery-kept = I kept the codes, go on
console-recovery-left = { $n ->
    [0] No recovery code is left.
    [one] One recovery code is left.
   *[other] { $n } recovery codes are left.
 }
console-recovery-make = Make ten new codes
console-account = My account
console-passkeys = Passkeys
console-passkeys-more = A passkey lies in a computer or phone and opens with its fingerprint or PIN. Nobody can trick it out of you like a password.
console-passkeys-need-name = They work only when the hub has a host name and a trusted certificate; ask who runs the hub.
console-passkey-label = Name of the passkey, such as “Duty desk”
console-passkey-add = Add a passkey of this device
console-passkey-remove = Remove
console-passkey-used = last used
console-password-change = Change password
console-password-old = Password now
console-password-new = New password
console-old-password-wrong = The password now is not right.
console-password-changed = The password is changed. Other places must sign in again.
console-places = Signed in at
console-place-here = This place
console-place-seen = last used
console-place-end = Sign out there
console-how-password = password and code
console-how-passkey = passkey
console-how-recovery = recovery code
console-how-link = link of the hub
console-how-join = when the account was opened
console-operator = Who runs the hub

# Officers and accounts.
console-accounts = Officers
console-accounts-caption = Who may come into this console, and which hamlets they see.
console-col-reach = Reach
console-account-none = Not opened
console-account-open = Open
console-account-closed = Closed
console-account-new = Add an officer
console-account-make = Add and make the link
console-account-needs-name = Write the officer's name.
console-account-name-taken = There is an officer of this name. Add something to tell them apart, such as “Hà Văn Sơn (1985)”.
console-reach-more = No hamlet chosen: the whole commune.
console-reach-set = Set reach
console-join-link = Hand over this link in person. Whoever opens it first comes in.
console-join-link-more = Works once, until
console-join-again = Phone and recovery codes lost? A new link replaces everything: password, codes, passkeys.
console-join-link-make = Make a link to open the account
console-account-close = Close the account
console-account-close-more = This person comes in nowhere any more, from now on. What was done stays in the record.

# Figures and the record of reads.
console-figures = Figures
console-figures-more = Counts alone, no content and no names.
console-figures-field = From the hamlets
console-figures-evidence = Scene photos and logs
console-figure-incidents = Incidents
console-figure-patrols = Patrols
console-figure-check-ins = Check-ins
console-figure-devices = Phones
console-figure-revoked = Phones revoked
console-figure-verified = Photos intact
console-figure-expected = Photos to come
console-figure-missing = Photos missing or altered
console-figure-erased = Photos destroyed
console-figure-quarantine = Set aside
console-figure-forked = Forked logs
console-figure-alerts = Alerts
console-figure-answers = Answers to alerts
console-reads = Reads
console-reads-of = What this person did
console-reads-none = Nothing yet.
console-reads-who = Of whom (the exact name)
console-reads-caption = Who read or did what, when, and what for.
console-col-when = When
console-col-who = Who
console-col-what = Did
console-col-subject = On
console-col-purpose = For


# What needs a second person.
console-second = Waiting for a second person
console-second-ask = Ask a second person
console-second-asks = { $by } wants to send this alert to the whole commune. Another officer must agree before { $until }.
console-second-open = { $by } waits for a second person, until { $until }
console-second-agree = Agree and send
console-second-disagree = Do not agree
console-second-take-back = Take back
console-second-own = Whoever asks cannot agree: it takes another officer.
console-second-agreed = Agreed to and sent.
console-second-not = Not sent: taken back or not agreed to.
console-second-late = It waited too long. Write it again if it is still needed.
