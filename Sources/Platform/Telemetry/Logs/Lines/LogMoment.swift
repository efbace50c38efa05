import Foundation
import MartletCore

/// The time of a line: UTC with milliseconds, always in 24 characters (RFC 3339).
struct LogMoment: Sendable {
    private let milliseconds: Int

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    static var now: LogMoment {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogMoment(milliseconds: Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000)
    }

    func append(to bytes: inout [UInt8]) {
        let day = Int((Double(milliseconds) / 86_400_000).rounded(.down))
        let ofDay = milliseconds - day * 86_400_000
        let (year, month, dayOfMonth) = CivilDate.date(onDay: day)
        Self.append(year, 4, "-", &bytes)
        Self.append(month, 2, "-", &bytes)
        Self.append(dayOfMonth, 2, "T", &bytes)
        Self.append(ofDay / 3_600_000, 2, ":", &bytes)
        Self.append(ofDay / 60_000 % 60, 2, ":", &bytes)
        Self.append(ofDay / 1000 % 60, 2, ".", &bytes)
        Self.append(ofDay % 1000, 3, "Z", &bytes)
    }

    private static func append(_ value: Int, _ width: Int, _ separator: Unicode.Scalar, _ bytes: inout [UInt8]) {
        var divisor = width == 4 ? 1000 : width == 3 ? 100 : 10
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: separator))
    }
}
