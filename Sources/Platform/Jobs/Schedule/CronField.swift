/// The values that one field of a cron expression matches, as bits.
struct CronField: Sendable, Hashable {
    private let bits: UInt64
    private let kind: CronFieldKind
    /// Whether it begins with `*`, as `*/2` does, too: such a field does not restrict the day by itself.
    let isStar: Bool

    init(_ text: String, _ kind: CronFieldKind) throws(CronFault) {
        var bits: UInt64 = 0
        for element in text.split(separator: ",", omittingEmptySubsequences: false) { bits |= try kind.bits(of: element) }
        // Sunday has two numbers.
        if kind == .dayOfWeek, bits & 1 << 7 != 0 { bits = bits & ~(1 << 7) | 1 }
        self.bits = bits
        self.kind = kind
        isStar = text.hasPrefix("*")
    }

    var isFull: Bool { bits.nonzeroBitCount == kind.values.count }

    func contains(_ value: Int) -> Bool { bits & 1 << UInt64(value) != 0 }

    /// The least value that is not below `value`.
    func first(from value: Int) -> Int? {
        let rest = bits >> UInt64(value)
        return rest == 0 ? nil : value + rest.trailingZeroBitCount
    }

    /// The five fields, in capitals.
    static func split(_ text: String) throws(CronFault) -> [String] {
        guard text.utf8.count <= 1_000 else { throw CronFault("The expression is longer than 1,000 bytes.") }
        let fields = text.uppercased().split { $0 == " " || $0 == "\t" }.map(String.init)
        if fields.count == 1, fields[0].hasPrefix("@") { return try fieldsOf(name: fields[0]) }
        guard fields.count == 5 else {
            throw CronFault("An expression has five fields (minute, hour, day of month, month, day of week); this has \(fields.count).")
        }
        return fields
    }

    private static func fieldsOf(name: String) throws(CronFault) -> [String] {
        switch name {
        case "@HOURLY": ["0", "*", "*", "*", "*"]
        case "@DAILY", "@MIDNIGHT": ["0", "0", "*", "*", "*"]
        case "@WEEKLY": ["0", "0", "*", "*", "0"]
        case "@MONTHLY": ["0", "0", "1", "*", "*"]
        case "@YEARLY", "@ANNUALLY": ["0", "0", "1", "1", "*"]
        default: throw CronFault("\(CronFault.quote(name)) is none of @hourly, @daily, @weekly, @monthly and @yearly.")
        }
    }
}

enum CronFieldKind: String {
    case minute
    case hour
    case dayOfMonth = "day of month"
    case month
    case dayOfWeek = "day of week"

    var values: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...6
        }
    }

    /// What may be written: Sunday is also 7.
    private var numbers: ClosedRange<Int> { self == .dayOfWeek ? 0...7 : values }

    private var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        default: []
        }
    }
}

extension CronFieldKind {
    /// The values of one element of a list.
    fileprivate func bits(of element: Substring) throws(CronFault) -> UInt64 {
        let halves = element.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let (range, step) = (try range(halves[0]), try step(halves))
        return stride(from: range.lowerBound, through: range.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func range(_ text: Substring) throws(CronFault) -> ClosedRange<Int> {
        if text == "*" { return values }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0])
        guard ends.count == 2 else { return first...first }
        let last = try value(ends[1])
        guard first <= last else { throw fault("\(CronFault.quote(text)) runs backwards") }
        return first...last
    }

    private func step(_ halves: [Substring]) throws(CronFault) -> Int {
        guard halves.count == 2 else { return 1 }
        guard halves[0] == "*" || halves[0].contains("-") else {
            throw fault("\(CronFault.quote(halves[0])) takes no step; a range or * does")
        }
        guard let step = number(halves[1]), (1...values.count).contains(step) else {
            throw fault("the step \(CronFault.quote(halves[1])) is no number from 1 to \(values.count)")
        }
        return step
    }

    private func value(_ text: Substring) throws(CronFault) -> Int {
        if let place = names.firstIndex(of: String(text)) { return place + values.lowerBound }
        guard let number = number(text), numbers.contains(number) else {
            let name = names.first.map { ", nor a name like \($0)" } ?? ""
            throw fault("\(CronFault.quote(text)) is no number from \(numbers.lowerBound) to \(numbers.upperBound)\(name)")
        }
        return number
    }

    /// Digits alone: `Int` would take a sign.
    private func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private func fault(_ problem: String) -> CronFault {
        CronFault("The field for the \(rawValue) is wrong: \(problem).")
    }
}

/// What is wrong with a cron expression or its time zone, as a sentence for whoever wrote it. It quotes at most 20 characters of theirs.
public struct CronFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }

    /// Text from outside, as far as a message has room for it.
    static func quote(_ text: some StringProtocol) -> String {
        text.count <= 20 ? "“\(text)”" : "“\(text.prefix(20))…”"
    }
}
