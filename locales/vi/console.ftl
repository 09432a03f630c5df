# Lời của trang công an xã.

console-inbox = Hộp việc
console-alerts = Cảnh báo
console-patrols = Tuần tra
console-map = Bản đồ
console-empty = Chưa có việc mới. Bản yên.
console-purpose = Xem để làm gì?
console-read-logged = Lượt xem này được ghi lại.

# Khung của mọi trang.
console-people = Người và máy
console-nav = Các phần
console-skip = Tới nội dung
console-leave = Rời trang
console-next-page = 50 dòng tiếp
console-commune = Xã
console-time-unknown = Chưa rõ giờ
console-name-unknown = Chưa có tên
console-member-number = Tổ viên số { $n }

# Cửa vào và các trang một câu.
console-door = Cửa vào
console-come-in = Trang này dành cho công an xã. Người trông máy xã mở liên kết vào trang, dùng một lần trong 30 phút.
console-link-closed = Liên kết đã dùng hoặc đã hết hạn. Xin liên kết mới từ máy xã.
console-too-many-tries = Thử quá nhiều lần. Chờ một phút rồi mở lại liên kết.
console-left = Đã rời trang
console-left-more = Muốn vào lại, xin liên kết mới từ máy xã.
console-form-old = Trang đã mở quá lâu hoặc không phải từ đây. Mở lại trang rồi gửi lại; chưa có gì thay đổi.
console-not-found = Không có trang này
console-nothing-here = Không có gì ở địa chỉ này.
console-not-done = Chưa làm được
console-not-taken = Yêu cầu chưa đúng dạng. Chưa có gì thay đổi.
console-hub-trouble = Máy xã chưa trả lời được. Dữ liệu vẫn giữ; thử lại sau ít phút.

# Hộp việc.
console-search = Tìm trong việc đã báo (không cần dấu)
console-search-go = Tìm
console-search-all = Xem tất cả
console-found = Việc có “{ $query }”.
console-found-nothing = Không có việc nào khớp.
console-amended = { $n } lần bổ sung
console-branch = Nhật ký của máy này rẽ hai nhánh; cần xem lại với người giữ máy.
console-no-photos = không có ảnh
console-photos-here = { $n }/{ $all } ảnh nguyên vẹn
console-photos-missing = Thiếu { $n } ảnh, còn ở máy { $phone }
console-photos-unnamed = Điện thoại { $phone } báo trước { $all } ảnh, { $n } ảnh chưa thấy ghi: chưa chụp xong, chưa gửi, hoặc máy tắt giữa chừng. Hỏi người báo; người báo thêm ảnh được bằng Bổ sung.
console-photos-altered = ‖ { $n }/{ $all } ảnh đã bị thay đổi, cần xem
console-now = Đang diễn ra
console-alerts-live = Cảnh báo còn hiệu lực
console-alerts-none = Không có cảnh báo.
console-patrols-none-now = Chưa có ca nào đang đi.

# Một vụ việc.
console-purpose-duty = Trực ban tiếp nhận
console-purpose-verify = Xác minh vụ việc
console-purpose-help = Cử người giúp
console-purpose-other = Mục đích khác
console-purpose-needed = Chọn hoặc ghi mục đích rồi mở.
console-open = Mở nội dung
console-advice = An toàn trước.
console-facts = Sự việc
console-facts-none = Chưa có lời kể.
console-opinions = Suy nghĩ, chưa phải sự việc
console-basis-unstated = Chưa nói rõ thấy hay nghe
console-author = Người báo:
console-place = Vị trí
console-photo-number = Ảnh { $n }
console-photo-verified = ✓✓ Nguyên vẹn, đã tới xã
console-photo-expected = Chưa tới, còn ở máy
console-photo-partial = Đang tới, chưa đủ
console-photo-missing = ‖ Thiếu: đã tới rồi mất ở máy xã
console-photo-altered = ‖ Đã bị thay đổi
console-photo-erased = Đã hủy: hết hạn giữ hoặc theo quyết định
console-photo-erased-at = Đã hủy lúc { $at }: hết hạn giữ hoặc theo quyết định
console-fingerprint = Dấu vân của ảnh (SHA-256)

# Tuần tra.
console-patrol-running = Đang đi tuần
console-patrol-paused = Tạm nghỉ
console-patrol-finished = Đã kết thúc
console-patrols-none = Chưa có ca tuần nào.
console-patrols-caption = Ca tuần mới nhất ở trên.
console-check-ins = { $n } lần báo có mặt
console-col-patrol = Ca tuần
console-col-state = Tình trạng
console-col-leader = Người ghi
console-col-distance = Quãng đường
console-col-last = Lần cuối
console-col-number = Số
console-col-time = Giờ
console-col-note = Ghi chú
console-check-ins-title = Các lần báo có mặt
console-check-ins-caption = Theo thứ tự đã ghi. Chỗ không rõ vị trí có dòng riêng.
console-check-ins-cut = Ở đây có { $n } trong { $all } lần; tệp xuất ra có đủ.
console-patrol-incidents = Việc báo trong ca
console-patrol-calm = Không có việc. Bản yên.
console-gaps-none = Không có khoảng trống.
console-see-list = Xem danh sách
console-sketch-start = đầu
console-sketch-end = cuối
console-sketch-north = B
console-sketch-caption = Chấm: báo có mặt. Vòng đứt: sai số. Hai vạch chặn: chỗ không rõ vị trí, không nối đường.
console-sketch-of = Hình vẽ vị trí: { $what }, { $place }
console-sketch-patrol = Hình vẽ ca tuần: { $n } lần báo có mặt, { $distance }, { $gaps } chỗ không rõ vị trí. Danh sách ở dưới.

# Cảnh báo.
console-alerts-over = Đã hết hạn hoặc đã rút
console-alert-live = Còn hiệu lực
console-alert-over = Đã hết hạn
console-alert-cancelled = Đã rút
console-alert-times = Gửi { $sent } · đến { $until }
console-alert-two = { $first } và { $second }
console-whole-commune = Toàn xã
console-alert-for = Gửi cho (người)
console-alert-silent = Chưa trả lời
console-alert-new = Soạn cảnh báo
console-alert-headline = Việc gì (một dòng)
console-alert-instruction = Phải làm gì
console-alert-description = Kể thêm (nếu cần)
console-alert-severity = Mức
console-alert-hamlets = Gửi tới bản
console-alert-second = Cảnh báo toàn xã cần cán bộ thứ hai cùng ký: gửi từ máy xã bằng lệnh hub alert --second.
console-hamlets-none = Chưa có bản nào. Nhập danh sách bản ở máy xã trước.
console-alert-life = Hiệu lực trong
console-alert-drill-more = máy không hú còi, hai đầu ghi rõ là diễn tập
console-alert-look = Xem trước
console-alert-preview = Xem trước khi gửi
console-alert-preview-more = Máy của tổ viên sẽ hiện như sau. Chưa gửi.
console-alert-until = Đến
console-alert-for-n = Gửi cho { $n } người trong các bản này.
console-alert-send = Gửi cảnh báo
console-alert-again = Soạn lại
console-alert-needs-headline = Ghi việc gì, trong một dòng ngắn.
console-alert-needs-instruction = Ghi phải làm gì.
console-alert-too-long = Phần kể thêm quá dài.
console-alert-needs-severity = Chọn mức.
console-alert-needs-hamlet = Chọn ít nhất một bản.
console-alert-needs-life = Chọn thời gian hiệu lực.

# Người và máy.
console-search-people = Tìm tên người hoặc tên bản (không cần dấu)
console-people-count = { $n } người, { $hamlets } bản.
console-people-none = Chưa có ai trong danh sách.
console-people-caption = Theo bản, tổ, tên.
console-col-name = Họ tên
console-col-role = Vai trò
console-col-hamlet = Bản
console-col-group = Tổ
console-col-phones = Máy
console-odd-name = (chữ lạ trong tên)
console-role-officer = Cán bộ công an xã
console-role-chief = Trưởng công an xã
console-role-auditor = Người giám sát
console-phones = Máy
console-phones-none = Chưa có máy nào vào tổ.
console-phones-caption = Máy mới vào ở trên. Máy mất: báo người trông máy xã thu quyền ngay.
console-col-phone = Máy
console-col-entries = Đã ghi
console-phone-active = Đang dùng
console-phone-expired = Giấy máy hết hạn
console-phone-revoked = Đã thu quyền
console-phone-lost = Đã báo mất

# Tệp bảng của xã (hub import). Mỗi câu nói về một dòng của tệp.
import-empty = Tệp không có dòng nào để nhận.
import-too-large = Tệp lớn hơn { $most }.
import-too-many = Tệp có hơn { $most } dòng; chia thành nhiều tệp.
import-not-utf8 = Chữ không phải UTF-8; lưu lại tệp ở dạng "CSV UTF-8".
import-not-a-table = Đây không phải tệp CSV.
import-no-hamlet-column = Thiếu cột "bản" (hoặc thôn, xóm, hamlet) ở dòng đầu.
import-column-twice = Cột "{ $column }" trùng ý với một cột trước.
import-too-many-cells = Nhiều ô hơn dòng đầu; xem lại dấu ngăn cột.
import-no-hamlet = Thiếu tên bản.
import-name-too-long = Tên dài hơn { $most } chữ.
import-hidden-characters = Tên "{ $name }" có ký tự ẩn; gõ lại tên.
import-half-a-place = Vị trí cần cả vĩ độ và kinh độ.
import-bad-latitude = Vĩ độ "{ $value }" không phải số từ -90 đến 90.
import-bad-longitude = Kinh độ "{ $value }" không phải số từ -180 đến 180.
import-centre-differs = Vị trí của bản khác với dòng { $line }.
import-member-twice = Người này đã có ở dòng { $line }; nếu là hai người, ghi thêm chữ để phân biệt.
import-unknown-role = Vai trò "{ $role }" chưa dùng được ở đây; ghi "tổ trưởng", "tổ phó" hoặc "tổ viên".
import-role-without-name = Có vai trò mà thiếu họ tên.
import-more-bad-rows = Còn { $n } dòng nữa cần sửa.
console-photos-erased = đã hủy { $n }/{ $all } ảnh
