# Lời của trang công an xã.

console-inbox = Hộp việc
console-alerts = Cảnh báo
console-patrols = Tuần tra
console-map = Bản đồ
console-empty = Chưa có việc mới. Bản yên.
console-purpose = Xem để làm gì?
console-read-logged = Lượt xem này được ghi lại.

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
