# Words on the member's phone: what is safe, what to do next; nobody is blamed.

phone-loading = Opening…
phone-empty-reports = Nothing reported yet. The hamlet is calm.
phone-empty-alerts = No alerts.
phone-empty-outbox = ✓✓ Everything has reached the commune.
phone-offline = No signal. Carry on as usual, the phone sends by itself when there is signal.
phone-offline-dial = No signal yet: send someone to tell.
phone-locked = Locked. Check in, urgent report and photo still work.
phone-pin-wrong = Not right yet. { $left ->
    [one] { $left } try left
   *[other] { $left } tries left
}. Saved work is not lost.
phone-not-saved = Not saved yet. The text is still on the screen.
phone-no-room-for-photos = No room for photos. Reports in words still work.
phone-no-place = No place yet. Report anyway.
phone-clock-wrong = The clock is off by { $amount }. The order is still right.
phone-recording-stopped = The phone stopped recording { $from }–{ $to }.
phone-set-aside = The commune has not received it: { $reason }. The original is still on the phone.
phone-reason-photo-missing = photo missing
phone-alert-gap = Alert { $number } may be missing.
phone-join-code-used = The code has been used. Ask for a new one.
phone-join-code-expired = The code has expired.
phone-join-other-hub = This is not your commune's hub. Stop and ask the commune police.
phone-lost = This phone was reported lost. Unsent work is kept.
phone-hand-over-kept = Unsent work is kept.
phone-urgent-saved = Urgent report saved.
phone-urgent-by-mistake = By mistake? Report again
phone-expires = Deleted by itself on { $date }
phone-sensitive-words = This sentence mentions ethnicity, religion or illness. Is it needed?

# Buttons.
phone-do-scan-code = Scan code
phone-do-type-code = Type code
phone-do-start-patrol = Start patrol
phone-do-check-in = Check in
phone-do-scan-checkpoint = Scan checkpoint
phone-do-pause = Pause
phone-do-finish = Finish
phone-do-report = Report
phone-do-report-urgent = URGENT
phone-do-finish-report = Done
phone-do-take-photo = Take photo
phone-do-open-alert = Open
phone-do-record-activity = Record
phone-do-call-duty-officer = Call duty officer
phone-do-send-now = Send now
phone-do-send-again = Send again
phone-do-retry = Try again
phone-do-open-settings = Open settings
phone-do-battery-help = How to set the battery
phone-do-unlock = Unlock
phone-do-hand-over = Hand over
phone-do-cancel = Cancel
phone-do-edit = Edit
phone-do-keep-with-reason = Keep it, give a reason
