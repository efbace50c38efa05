import Foundation

/// A file of lines that several processes may write, rotated when it has grown.
///
/// Each batch is one `write` with `O_APPEND`, under a shared lock of `<path>.lock`; whoever rotates holds that lock alone, so nobody writes to a
/// file that is being put away. Before each batch its inode is compared with the path's: what another process rotated, or logrotate moved
/// away, is opened anew.
struct LogFile: LogSink {
    let batchBytes = 256 << 10
    private let path: String
    private let rotation: Rotation
    private let maximumBytes: Int
    private let lock: FileLock
    private var file: OpenFile?
    /// A line was cut by a failure, so the next one begins on a line of its own.
    private var isTorn = false

    /// Opens or makes the file, readable by its owner alone.
    ///
    /// - Throws: ``LogFileUnusable``.
    init(_ place: LogFilePlace) throws(LogFileUnusable) {
        path = place.path
        maximumBytes = place.maximumBytes
        rotation = Rotation(path: place.path, keeps: place.count)
        lock = try FileLock(path: place.path + ".lock")
        file = try OpenFile(path: place.path)
    }

    mutating func write(_ bytes: [UInt8]) -> Int {
        if needsRotation(for: bytes.count) { rotate() }
        return lock.whileShared { append(bytes) }
    }

    /// Where it cannot be opened, lines are dropped and counted, and it is tried again with each batch.
    mutating func reopen() { file = try? OpenFile(path: path) }

    private mutating func append(_ bytes: [UInt8]) -> Int {
        if file?.isStillAt(path) != true { reopen() }
        guard let file else { return 0 }
        // A file that begins in the middle of a line would be the fault of a full disk: the line break makes the rest readable.
        if isTorn, Descriptor.write([UInt8(ascii: "\n")], to: file.descriptor) != 1 { return 0 }
        let count = Descriptor.write(bytes, to: file.descriptor)
        isTorn = count > 0 && count < bytes.count && bytes[count - 1] != UInt8(ascii: "\n")
        return count
    }

    private func needsRotation(for more: Int) -> Bool {
        guard let size = file?.size, size > 0 else { return false }
        return size + more > maximumBytes
    }

    /// Puts the file away, unless somebody else did so meanwhile. What fails is tried again with the next batch; until then the file grows.
    private mutating func rotate() {
        lock.whileAlone {
            if file?.isStillAt(path) == true { rotation.rotate() }
            reopen()
        }
    }
}

/// Which file, how large it may become, and how many of those before it are kept.
public struct LogFilePlace: Sendable, Hashable {
    public var path: String
    /// In bytes; a file may exceed it by one batch of lines.
    public var maximumBytes: Int
    public var count: Int

    public init(path: String, maximumBytes: Int = 10 << 20, count: Int = 5) {
        (self.path, self.maximumBytes, self.count) = (path, maximumBytes, count)
    }
}

/// A log file that cannot be opened.
public struct LogFileUnusable: Error, CustomStringConvertible {
    public let path: String
    /// The system's word for it.
    public let reason: String

    init(path: String, code: Int32) { (self.path, reason) = (path, String(cString: strerror(code))) }

    public var description: String { "The log file \(path) cannot be opened: \(reason)." }
}

/// A descriptor that is closed with the last who has it.
final class OpenFile: Sendable {
    let descriptor: Int32
    private let identity: Identity

    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t

        init(_ status: stat) { (device, inode) = (status.st_dev, status.st_ino) }
    }

    init(path: String, flags: Int32 = O_WRONLY | O_APPEND | O_CREAT) throws(LogFileUnusable) {
        let descriptor = open(path, flags | O_CLOEXEC | O_NOCTTY, 0o600)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw LogFileUnusable(path: path, code: errno) }
        self.descriptor = descriptor
        identity = Identity(status)
    }

    deinit { close(descriptor) }

    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    func isStillAt(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && Identity(status) == identity
    }
}

/// A lock among processes, and among the open files of one (flock(2)); the system takes it from those who die.
struct FileLock {
    private let file: OpenFile

    init(path: String) throws(LogFileUnusable) { file = try OpenFile(path: path, flags: O_RDWR | O_CREAT) }

    func whileShared<Value>(_ work: () -> Value) -> Value { holding(LOCK_SH, work) }
    func whileAlone<Value>(_ work: () -> Value) -> Value { holding(LOCK_EX, work) }

    private func holding<Value>(_ kind: Int32, _ work: () -> Value) -> Value {
        while flock(file.descriptor, kind) != 0, errno == EINTR {}
        defer { _ = flock(file.descriptor, LOCK_UN) }
        return work()
    }
}
