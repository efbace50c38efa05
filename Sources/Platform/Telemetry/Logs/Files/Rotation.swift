import CDeflate
import Foundation

/// Puts a file away as `<path>.1.gz`, and those before it one further; to be called by one at a time.
///
/// A process that ends in the midst leaves nothing lost or twice: a compressed file appears under its name only when it is whole, and is then
/// the one that counts. What is left to be done is done at the next rotation.
struct Rotation {
    let path: String
    let keeps: Int

    /// Renames the file away; it is compressed afterwards, or later when there is no room for that.
    func rotate() {
        settle()
        guard keeps > 0 else { return _ = unlink(path) }
        // First aside: where that is not allowed, the older files stay where they are.
        if rename(path, aside) == 0 { takeIn() }
    }

    /// Finishes what an earlier rotation could not.
    private func settle() {
        if exists(aside) { takeIn() }
        for number in stride(from: 1, through: keeps, by: 1) where exists(name(number)) {
            if exists(compressed(number)) { unlink(name(number)) } else { compress(number) }
        }
    }

    private func takeIn() {
        makeRoom()
        if rename(aside, name(1)) == 0 { compress(1) }
    }

    /// Moves the files before the first gap, and removes the oldest only when there is none: a shift that was broken off left one.
    private func makeRoom() {
        let gap = stride(from: 1, through: keeps, by: 1).first { !exists(name($0)) && !exists(compressed($0)) }
        if gap == nil {
            unlink(name(keeps))
            unlink(compressed(keeps))
        }
        for number in stride(from: (gap ?? keeps) - 1, through: 1, by: -1) {
            rename(name(number), name(number + 1))
            rename(compressed(number), compressed(number + 1))
        }
    }

    private func compress(_ number: Int) {
        let draft = compressed(number) + ".part"
        guard GzipFile.write(name(number), to: draft), rename(draft, compressed(number)) == 0 else { return _ = unlink(draft) }
        unlink(name(number))
    }

    private var aside: String { path + ".rotating" }
    private func name(_ number: Int) -> String { "\(path).\(number)" }
    private func compressed(_ number: Int) -> String { "\(path).\(number).gz" }
    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// gzip (RFC 1952) of whole files, a member for each mebibyte, so that a large file does not need its length in memory.
enum GzipFile {
    private static let pieceBytes = 1 << 20
    private static let level: Int32 = 6

    /// Returns whether all of it is on the disk.
    static func write(_ source: String, to target: String) -> Bool {
        guard let compressor = libdeflate_alloc_compressor(level) else { return false }
        defer { libdeflate_free_compressor(compressor) }
        unlink(target)
        guard let from = try? OpenFile(path: source, flags: O_RDONLY),
            let into = try? OpenFile(path: target, flags: O_WRONLY | O_CREAT | O_EXCL)
        else { return false }
        var piece = [UInt8](repeating: 0, count: pieceBytes)
        while true {
            let count = read(from.descriptor, &piece, pieceBytes)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 && fsync(into.descriptor) == 0 }
            let member = compressed(piece[..<count], compressor)
            guard !member.isEmpty, Descriptor.write(member, to: into.descriptor) == member.count else { return false }
        }
    }

    private static func compressed(_ piece: ArraySlice<UInt8>, _ compressor: OpaquePointer) -> [UInt8] {
        let bound = libdeflate_gzip_compress_bound(compressor, piece.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            count = piece.withUnsafeBytes { libdeflate_gzip_compress(compressor, $0.baseAddress, $0.count, target.baseAddress, bound) }
        }
    }
}
