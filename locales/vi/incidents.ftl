# Vụ việc ở trang công an xã: trả lời, giao, nối báo trùng, trao đổi, ảnh, dòng thời gian, bản in.

incident-state = Tình trạng:
incident-state-new = Mới
incident-take = Tiếp nhận
incident-open-ones = Chưa xong
incident-all-ones = Tất cả
incident-linked-n = { $n } báo cáo khác về cùng việc

# Trả lời người báo.
incident-talk = Trao đổi với người báo
incident-talk-none = Chưa có trao đổi.
incident-tell = Báo cho người báo biết
incident-note = Lời nhắn (nếu cần)
incident-note-how = Người báo đọc được lời này trên điện thoại. Chỉ viết điều người đó cần.
incident-send = Gửi cho người báo
incident-words-erased = Lời này đã xóa khi hết hạn giữ.
incident-kept = Giữ lại vì:
incident-keep = Vẫn giữ, nêu lý do
incident-sensitive-how = Sửa lời nhắn, hoặc nêu lý do giữ ở ô dưới.
incident-note-long = Lời nhắn dài quá. Viết ngắn lại.
incident-note-control = Lời nhắn có ký tự ẩn. Gõ lại.
incident-nothing-said = Chọn tình trạng khác hoặc viết lời nhắn rồi gửi.
incident-ask-what = Cần thêm tin gì? Viết câu hỏi để người báo biết phải tìm gì.
incident-since = { $who } đã làm trước, lúc { $when }: { $state }. Việc vừa gửi chưa được nhận; xem lại rồi gửi nếu vẫn cần.
incident-too-many = Việc này đã có quá nhiều bước. Chưa có gì thay đổi.

# Giao, nối.
incident-more = Giao người, báo trùng
incident-give = Giao cho ai tới
incident-who = Ai tới
incident-nobody = Chưa giao
incident-give-how = Người báo được nhắn ai sẽ tới. Gọi cho tổ đó để chắc họ biết.
incident-give-go = Giao
incident-gave = Giao: { $who }
incident-gave-nobody = Thôi giao
incident-link = Có báo cáo khác về cùng việc
incident-link-which = Báo cáo nào
incident-link-how = Hai báo cáo vẫn giữ nguyên, trang này chỉ dẫn tới trang kia.
incident-link-go = Nối hai báo cáo
incident-link-none = Không có báo cáo nào gần lúc này.
incident-link-unknown = Không thấy báo cáo đó. Chưa có gì thay đổi.
incident-linked = Nối với báo cáo khác về cùng việc
incident-unlinked = Bỏ nối với báo cáo khác
incident-unlink = Bỏ nối
incident-twins = Báo cáo khác về cùng việc

# Tới điện thoại của người báo.
incident-told-assigned = Người tới giúp: { $who }.

# Dòng thời gian.
incident-timeline = Dòng thời gian
incident-when-reported = Ghi trên điện thoại
incident-when-message = Tin nhắn tới xã
incident-when-photo = Ảnh { $n } tới xã, nguyên vẹn
incident-when-erased = Ảnh { $n } đã hủy

# Sổ ghi lượt xem.
audit-assign-incident = giao người tới
audit-link-incident = nối báo cáo về cùng một việc
audit-unlink-incident = bỏ nối báo cáo

# Dòng lệnh.
help-hub-answer = Trả lời một vụ việc: người báo đọc được trên điện thoại
help-answer-incident = Vụ việc, như hub list incidents ghi
help-answer-state = received (đã xem), in_hand (đang xử lý), needs_more (cần thêm tin), resolved (đã xong), not_for_us (đã chuyển nơi khác)
help-answer-note = Lời nhắn cho người báo
help-answer-keep = Vì sao giữ chữ về dân tộc, tôn giáo, bệnh trong lời nhắn
cli-report-answered = Đã trả lời { $id }: { $before } → { $state }
reason-sensitive = nhắc tới dân tộc, tôn giáo, bệnh: bỏ đi, hoặc nêu lý do giữ bằng --keep
code-state-new = mới
code-state-received = công an đã xem
code-state-in-hand = đang xử lý
code-state-needs-more = cần thêm tin
code-state-resolved = đã xong
code-state-not-for-us = đã chuyển nơi khác
code-action-assign-incident = giao người tới
code-action-link-incident = nối hai báo cáo
code-action-unlink-incident = bỏ nối hai báo cáo

# Ảnh.
incident-photo-spoken = Ảnh hiện trường { $n }, bản nhỏ
incident-photo-save = Lưu bản gốc
incident-photo-changed = Tệp ảnh này không còn nguyên như lúc nhận, nên không mở. Máy xã đã xin điện thoại gửi lại.
incident-custody = Sổ lưu giữ
incident-custody-caption = Những gì đã làm với ảnh này, cũ trước mới sau.

# Trang đang mở, phím tắt.
incident-live-new = { $n } mới · Xem
incident-live-urgent = Có { $n } việc khẩn mới
incident-live-changed = ● vừa đổi
incident-live-over = Đã hết lượt vào trang. Vào lại
keys-title = Phím tắt
keys-step = Xuống, lên một dòng
keys-open = Mở việc đang chọn
keys-close = Đóng
keys-off = Tắt phím tắt ở máy này

# Bản in.
incident-print = In biên bản
audit-print-incident = in biên bản
code-action-print-incident = in biên bản
print-title = BIÊN BẢN
print-about = Ghi nhận vụ việc
print-draft = NHÁP
print-draft-why = Bản nháp cho tới khi đủ chữ ký.
print-back = Về trang vụ việc
print-how = In bằng Ctrl+P, khổ A4.
print-committee = ỦY BAN NHÂN DÂN
print-group = TỔ BẢO VỆ AN NINH, TRẬT TỰ
print-number = Số: …/BB-…
print-country = CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
print-motto = Độc lập - Tự do - Hạnh phúc
print-dated = { $place }, ngày { $day } tháng { $month } năm { $year }
print-begun = Lập biên bản lúc:
print-hour = giờ
print-at = Tại:
print-present = Những người có mặt:
print-what = Việc:
print-when = Lúc xảy ra:
print-where = Nơi xảy ra:
print-reporter = Người báo:
print-evidence = Ảnh hiện trường:
print-photos = { $lacking ->
    [0] { $n } ảnh
   *[other] { $n } ảnh, trong đó { $lacking } ảnh chưa tới đủ hoặc đã thay đổi
 }
print-seen = Thấy
print-heard = Nghe kể
print-think = Suy nghĩ của người báo, chưa phải sự việc
print-end = Biên bản lập xong lúc …… giờ …… cùng ngày, đã đọc lại cho mọi người cùng nghe, công nhận đúng và cùng ký tên.
print-writer = NGƯỜI GHI
print-witness = NGƯỜI CHỨNG KIẾN
print-chair = CHỦ TRÌ
print-sign = (Ký, ghi rõ họ tên)
print-sent = Nơi nhận:
print-kept = Lưu: ……
print-printed = { $who } in lúc { $when }
