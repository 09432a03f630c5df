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
phones-gone-lost = The phone locks when it hears of it. Its member joins with another phone within 10 minutes.
phones-gone-revoked = To be used again this phone must join with a new code.
phones-gone-do-lost = Report this phone lost
phones-gone-do = Revoke this phone
phones-gone-not = No, go back
