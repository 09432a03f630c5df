# Vụ việc ở trang công an xã: trả lời, giao, nối báo trùng, trao đổi, ảnh, dòng thời gian, bản in.

incident-told-assigned = Người tới giúp: { $who }.
incident-state-new = Mới

# Sổ ghi lượt xem.
audit-assign-incident = giao người tới
audit-link-incident = nối báo cáo về cùng một việc
audit-unlink-incident = bỏ nối báo cáo
