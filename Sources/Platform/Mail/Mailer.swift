// MartletMail: mail, handed to whoever delivers it.

public import MartletCore

/// Hands mail to whoever delivers it.
public protocol Mailer: Sendable {
    /// Hands one message over, and returns when the other side answers for its delivery (RFC 5321 §4.2.5).
    ///
    /// Throws ``MailFailure``, or `CancellationError` when the task is cancelled meanwhile. After either the message may have been taken all
    /// the same: sending it again may deliver it twice.
    func send(_ message: MailMessage) async throws
}

/// One message to one person, in plain text.
///
/// Its parts cannot become header lines or commands: the address is a ``MartletCore/Mailbox``, the subject a ``HeaderText``. Its text may hold
/// a secret: descriptions, dumps and mirrors show only whom it is to.
public struct MailMessage: Sendable {
    public let to: Mailbox
    public let subject: HeaderText
    /// Lines separated by `\n`; any characters.
    public let text: String

    public init(to: Mailbox, subject: HeaderText, text: String) {
        (self.to, self.subject, self.text) = (to, subject, text)
    }
}

extension MailMessage: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "mail to \(to)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Text that can stand in a header line: 1 to 200 characters, none of them a control character or a line's end.
public struct HeaderText: Sendable, Hashable {
    public let raw: String

    /// `nil` for text that cannot.
    public init?(_ text: String) {
        guard (1...200).contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy({ !Self.breaksLines($0) }) else { return nil }
        raw = text
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

extension HeaderText: ExpressibleByStringLiteral {
    /// The program's own text; traps when it breaks the rule.
    public init(stringLiteral text: StaticString) {
        guard let header = HeaderText("\(text)") else { preconditionFailure("\(text) cannot stand in a header line.") }
        self = header
    }
}

/// Mail that was not handed over. Its description holds neither the message nor its recipient, nor any word of the other side.
public struct MailFailure: Error, CustomStringConvertible {
    /// Whether the same message will be refused again: the recipient or the sender was (RFC 5321 §4.2.1, 5yz).
    public let isPermanent: Bool
    public let description: String

    public init(isPermanent: Bool = false, _ description: String) {
        (self.isPermanent, self.description) = (isPermanent, description)
    }
}
