// Durations and byte sizes: numbers that carry a unit, in their text or in their setting's name.

extension Kind where Value == Duration {
    /// `30`, `30s`, `500ms`, `2m`, `1h`: more than nothing, at most `maximum`.
    static func duration(upTo maximum: Duration) -> Kind {
        let expected = "a duration such as 30s, 500ms, 2m or 1h, more than 0 and at most \(maximum.written)"
        return Kind("duration, up to \(maximum.written)", expected: expected, write: \.written) { text in
            Duration(written: text).flatMap { $0 > .zero && $0 <= maximum ? $0 : nil }
        }
    }

    static func milliseconds(_ range: ClosedRange<Int>) -> Kind { whole("milliseconds", of: .milliseconds(1), range) }
    static func seconds(_ range: ClosedRange<Int>) -> Kind { whole("seconds", of: .seconds(1), range) }
    static func minutes(_ range: ClosedRange<Int>) -> Kind { whole("minutes", of: .minutes(1), range) }
    static func days(_ range: ClosedRange<Int>) -> Kind { whole("days", of: .days(1), range) }

    /// A bare number whose unit is in the setting's name.
    private static func whole(_ unit: String, of one: Duration, _ range: ClosedRange<Int>) -> Kind {
        let expected = "a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)"
        return Kind("\(unit) \(range.lowerBound)–\(range.upperBound)", expected: expected, write: { "\(Int64($0 / one))" }) { text in
            WholeNumber.read(text).flatMap { range.contains($0) ? one * $0 : nil }
        }
    }
}

extension Kind where Value == Int {
    /// A number of bytes: `1048576`, `512KiB` (binary), `10MB` (decimal).
    static func byteSize(_ range: ClosedRange<Int>) -> Kind {
        let (least, most) = (ByteSize.write(range.lowerBound), ByteSize.write(range.upperBound))
        let expected = "a size such as 1048576, 512KiB or 10MB from \(least) to \(most)"
        return Kind("size \(least)–\(most)", expected: expected, write: ByteSize.write) {
            ByteSize.read($0).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Duration {
    static func minutes(_ count: Int) -> Duration { .seconds(60) * count }
    static func hours(_ count: Int) -> Duration { .minutes(60) * count }
    static func days(_ count: Int) -> Duration { .hours(24) * count }

    /// Whole seconds as `30s`, else `500ms`; from an hour on, whole hours as `1h`.
    var written: String {
        if self >= .hours(1), self == .hours(1) * Int64(self / .hours(1)) { return "\(Int64(self / .hours(1)))h" }
        let isWhole = components.attoseconds == 0
        return isWhole ? "\(components.seconds)s" : "\(Int64(self / .milliseconds(1)))ms"
    }

    init?(written text: String) {
        guard let (number, unit) = splitUnit(of: text), let milliseconds = Self.millisecondsPerUnit[unit.isEmpty ? "s" : unit],
            let product = WholeNumber.multiply(number, milliseconds)
        else { return nil }
        self = .milliseconds(product)
    }

    private static let millisecondsPerUnit = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
}

enum ByteSize {
    static func read(_ text: String) -> Int? {
        guard let (number, unit) = splitUnit(of: text), let factor = factors[unit.isEmpty ? "b" : unit] else { return nil }
        return WholeNumber.multiply(number, factor)
    }

    static func write(_ count: Int) -> String {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        guard count > 0, let (unit, size) = units.first(where: { count.isMultiple(of: $0.1) }) else { return "\(count)" }
        return "\(count / size)\(unit)"
    }

    private static let factors = [
        "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
    ]
}

/// `10MB` is 10 and `mb`; a bare number has an empty unit.
private func splitUnit(of text: String) -> (number: Int, unit: String)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = WholeNumber.read(digits) else { return nil }
    return (number, text.dropFirst(digits.count).trimmingPrefix(while: { $0 == " " }).lowercased())
}
