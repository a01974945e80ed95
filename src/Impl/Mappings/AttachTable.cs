namespace ShmCheck.Impl;

/// <summary>The attaches, one row for each shmat that still has a mapping somewhere: fork, splits
/// and mremap make more mappings of one attach, and only those of one attach belong together.
/// </summary>
internal sealed class AttachTable(StateStore store) : Table<AttachRow>(store)
{
    public int Add(int segment)
    {
        int attach = Take();
        Change(attach) = new AttachRow { Segment = segment };
        return attach;
    }

    public void Drop(int attach)
    {
        if (--Change(attach).References == 0)
        {
            Give(attach);
        }
    }
}
