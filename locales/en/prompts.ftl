# What the phone says aloud. The number is the voice file's; a number once used is never given again.

prompt-1 = Saved on this phone.
prompt-2 = Everything has reached the commune.
prompt-3 = No signal. The phone will send later.
prompt-4 = Patrol started. Go carefully.
prompt-5 = Checked in.
prompt-6 = Patrol finished.
prompt-7 = No place yet. Report as usual.
prompt-8 = Alert from the commune police. Open it now.
prompt-9 = Drill. This is a drill.
prompt-10 = Urgent report saved. Stay safe.
prompt-11 = No room for photos. Report in words.
prompt-12 = The battery is almost empty.
