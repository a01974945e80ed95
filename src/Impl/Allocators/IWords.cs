namespace ShmCheck.Impl;

/// <summary>An array of words that an allocator keeps its books in, all 0 at first: plain memory,
/// or a column whose writes can be undone. A struct, so that the allocator is compiled for each
/// kind and pays nothing for the choice.</summary>
internal interface IWords
{
    ulong this[int index] { get; set; }

    /// <summary>Sets neighbouring words.</summary>
    void Fill(int first, int count, ulong value);
}
