namespace ShmCheck.Impl;

/// <summary>One attach.</summary>
internal struct AttachRow
{
    /// <summary>The segment; 0 in row 0, which private mappings have.</summary>
    public int Segment;

    /// <summary>Mappings of the attach.</summary>
    public int References;
}
