/// What is wrong with the bytes of a server. A connection cannot go on after it.
enum RESPFault: Error, Hashable {
    case unknownType(UInt8)
    case malformedLine
    case malformedNumber
    case tooLong
    case tooDeep
    /// Types whose length is not known in the beginning, which no server sends.
    case streamed
    /// More answers than questions.
    case surplus
}
