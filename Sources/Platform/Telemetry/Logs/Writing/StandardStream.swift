import Foundation

/// Standard output and standard error, written to without ever ending the process: what commands print. Logs go through ``LogWriter``.
///
/// Foundation's `FileHandle.write(_:)` traps when a write fails: a full disk or a reader that went away would take the server along.
/// Here a line that cannot be written is dropped, for there is nowhere left to say so.
public enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Whether a person looks at it.
    public var isTerminal: Bool { isatty(rawValue) != 0 }

    /// Writes the text and a line break; waits while the stream takes no more.
    public func write(line: String) {
        _ = Descriptor.write(Array((line + "\n").utf8), to: rawValue)
    }

    /// A reader that went away, and a file that may not grow, are failed writes like any other, not signals that end the process.
    public static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}
