import MartletCore

/// So many calls in a period.
public struct CallRate: Sendable, Hashable {
    /// 1 to 1,000,000.
    public let calls: Int
    /// A second to a day.
    public let period: Duration

    init(_ calls: Int, per period: Duration) {
        (self.calls, self.period) = (calls, period)
    }
}

extension Kind where Value == CallRate {
    /// `100/s`, `100/min`, `5/15min`, `1000/h`.
    static var rate: Kind {
        Kind(
            "calls/period", expected: "a rate such as 100/min, 5/15min or 1000/h: 1 to 1000000 calls in a second to 24 hours",
            write: \.written, read: CallRate.init)
    }
}

extension CallRate {
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let calls = WholeNumber.read(parts[0]), (1...1_000_000).contains(calls) else { return nil }
        let digits = parts[1].prefix { $0.isASCII && $0.isNumber }
        guard let count = digits.isEmpty ? 1 : WholeNumber.read(digits), (1...86_400).contains(count),
            let seconds = Self.units.first(where: { $0.name == parts[1].dropFirst(digits.count).lowercased() })?.seconds
        else { return nil }
        // At most a day's seconds times an hour's: far from overflow.
        guard count * seconds <= 86_400 else { return nil }
        self.init(calls, per: .seconds(count * seconds))
    }

    /// In the largest unit that divides the period.
    var written: String {
        let seconds = Int(period.components.seconds)
        let unit = Self.units.last(where: { seconds.isMultiple(of: $0.seconds) }) ?? Self.units[0]
        let count = seconds / unit.seconds
        return "\(calls)/\(count == 1 ? "" : "\(count)")\(unit.name)"
    }

    private static let units: [(name: String, seconds: Int)] = [("s", 1), ("min", 60), ("h", 3600)]
}

extension Kind where Value == [IPNetwork] {
    /// Addresses and networks, separated by commas.
    static var networks: Kind {
        Kind(
            "addresses and networks",
            expected: "addresses such as 192.0.2.1 or 2001:db8::1 and networks such as 10.0.0.0/8 without bits beyond the prefix, "
                + "separated by commas",
            write: { $0.map(\.description).joined(separator: ",") }
        ) { text in
            let parts = text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
            let networks = parts.compactMap { IPNetwork($0) }
            return networks.count == parts.count ? networks : nil
        }
    }
}
