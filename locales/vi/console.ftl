# Lời của trang công an xã.

console-inbox = Hộp việc
console-alerts = Cảnh báo
console-patrols = Tuần tra
console-map = Bản đồ
console-empty = Chưa có việc mới. Bản yên.
console-purpose = Xem để làm gì?
console-read-logged = Lượt xem này được ghi lại.
