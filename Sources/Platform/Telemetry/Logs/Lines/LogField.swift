import Foundation
public import Logging
public import MartletCore

/// A field of a line that is written for every request: its name stands in the program, and its value needs no text of its own.
public struct LogField: Sendable {
    enum Value: Sendable {
        case text(String)
        case identifier(UUID)
        case whole(Int)
        /// A number with two decimals, as its hundredfold.
        case hundredths(Int)
    }

    let name: StaticString
    let value: Value

    public init(_ name: StaticString, _ text: String) { (self.name, value) = (name, .text(text)) }

    public init<Entity>(_ name: StaticString, _ identifier: Identifier<Entity>) {
        (self.name, value) = (name, .identifier(identifier.uuid))
    }

    public init(_ name: StaticString, _ number: Int) { (self.name, value) = (name, .whole(number)) }

    /// Milliseconds with two decimals.
    public init(_ name: StaticString, milliseconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        (self.name, value) = (name, .hundredths(Int(max(0, seconds * 100_000 + attoseconds / 10_000_000_000_000))))
    }
}

extension Logger {
    /// Logs a line whose fields are known when the program is written. ``Logs`` writes it without a dictionary, which for a line to each
    /// request is most of its cost; any other handler gets the fields as metadata.
    ///
    /// Names have to differ from one another, and must not be those of secrets: nothing but what looks like one is masked.
    ///
    /// - Parameter trace: The one that the current task works in.
    public func log(
        _ level: Level, _ message: @autoclosure () -> String, fields: @autoclosure () -> [LogField],
        in trace: @autoclosure () -> Trace? = .current
    ) {
        guard logLevel <= level else { return }
        if let handler = handler as? LineHandler, handler.addsNothing {
            handler.write(level, message(), fields(), trace())
        } else {
            let metadata = fields().map { ("\($0.name)", Logger.MetadataValue.string("\($0.value)")) }
            log(level: level, "\(message())", metadata: Metadata(metadata) { first, _ in first })
        }
    }
}

extension LogField.Value: CustomStringConvertible {
    var description: String {
        switch self {
        case .text(let text): text
        case .identifier(let uuid): uuid.text
        case .whole(let number): "\(number)"
        case .hundredths(let number): "\(number / 100).\(number / 10 % 10)\(number % 10)"
        }
    }
}
