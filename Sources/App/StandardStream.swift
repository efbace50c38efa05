#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Standard output and standard error, written to without ever ending the process.
///
/// Foundation's `FileHandle.write(_:)` traps when a write fails: a full disk or a reader that went away would take the server along.
/// Here a line that cannot be written is dropped, for there is nowhere left to say so.
public enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Writes the text and a line break; waits while the stream takes no more.
    public func write(line: String) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(rawValue, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// A reader that went away is a failed write like any other, not a signal that ends the process.
    public static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}

/// `write`, by a name that the method above does not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
