# Từ dùng chung của mọi màn hình. id = "word-" + mã của docs/GLOSSARY.md.
# Dấu (✓ ✓→ ✓✓ ‖) là một phần của từ: hình trước, chữ sau, màu cuối.

word-patrol = Đi tuần
word-check-in = Báo có mặt
word-checkpoint = Điểm tuần
word-incident-report = Báo vụ việc
word-urgent = Khẩn
word-amend = Bổ sung
word-evidence-photo = Ảnh hiện trường
word-voice-note = Ghi lời kể

# Nguồn của một câu: không có câu trả lời chọn sẵn.
word-basis-seen = Tôi thấy
word-basis-heard = Nghe kể
word-basis-think = Tôi nghĩ

# Đường đi của một việc.
word-unsent = ✓ Đã lưu, chờ gửi
word-sent = ✓→ Đã gửi, chờ xã nhận
word-received = ✓✓ Đã tới xã
word-parked = ‖ Để riêng, cần xem
word-outbox = Chờ gửi

word-triage-seen = Công an đã xem
word-triage-in-hand = Đang xử lý
word-triage-needs-more = Cần thêm tin
word-triage-resolved = Đã xong
word-triage-passed-on = Đã chuyển nơi khác

word-alert = Cảnh báo
word-severity-extreme = Nguy cấp, làm ngay
word-severity-severe = Nguy hiểm
word-severity-moderate = Đề phòng
word-severity-minor = Để biết
word-severity-unknown = Chưa rõ mức
word-answer-seen = Đã xem
word-answer-going = Tôi tới
word-answer-cannot = Không tới được
word-answer-done = Đã xong
word-drill = DIỄN TẬP
word-exercise = Buổi diễn tập

word-hand-over = Giao máy
word-lock = Khóa
word-enrolment-code = Mã vào tổ
word-four-words = Bốn từ đối chiếu
word-hub = Máy xã
word-commune-police = Công an xã
word-hamlet = Bản, xóm, thôn
word-group = Tổ an ninh, trật tự
word-group-leader = Tổ trưởng
word-member = Tổ viên
word-courier = Gửi nhờ máy khác
word-rescue-export = Cứu việc chưa gửi

word-gps-gap = Không rõ vị trí
word-accuracy = Sai số khoảng { $distance }
word-mock-gps = Vị trí từ ứng dụng khác
word-clock-wrong = Giờ máy lệch
word-storage-full = Máy hết chỗ lưu
word-battery-saver = Tiết kiệm pin

word-tip = Dân báo tin
word-denunciation = Tố cáo
word-conciliation = Hòa giải
word-weapons-handed-in = Vũ khí giao nộp
word-activity = Hoạt động
word-form = Mẫu ghi
word-monthly-report = Báo cáo tháng
word-cluster = Cụm liên kết
word-score-sheet = Phiếu tự chấm
word-duty-roster = Lịch trực
word-allowance = Tiền bồi dưỡng
word-person-in-a-report = Người được nhắc tới
