namespace ShmCheck.Impl;

/// <summary>One word of an allocator's books: a field, or a number whose writes can be undone.
/// </summary>
internal interface ICell
{
    ulong Value { get; set; }
}

/// <summary>A word that is a field.</summary>
internal struct FieldCell : ICell
{
    public ulong Value { get; set; }
}
