namespace ShmCheck.Harness.Exploring;

/// <summary>The nodes in the order in which they were found, each with the node and the call that
/// led to it first: node 0 is the start, and depth never falls along the order. One thread adds;
/// others may read nodes that were added before they were told of them.</summary>
internal sealed class NodeTree
{
    private const int PageBits = 16;
    private const int PageNodes = 1 << PageBits;
    private const int NodeBytes = sizeof(int) + sizeof(ushort);
    private readonly List<int> _levelStarts = [0];
    private int[][] _parents = new int[4][];
    private ushort[][] _calls = new ushort[4][];

    /// <summary>A tree of the start alone.</summary>
    public NodeTree() => Append(-1, 0);

    /// <summary>Number of nodes.</summary>
    public int Count { get; private set; }

    /// <summary>The depth of the last node.</summary>
    public int Depth => _levelStarts.Count - 1;

    /// <summary>Bytes that the nodes take.</summary>
    public long Bytes => (long)((Count + PageNodes - 1) >> PageBits) * PageNodes * NodeBytes;

    /// <summary>The first node of a depth, or null when none is that deep.</summary>
    public int? LevelStart(int depth) => depth <= Depth ? _levelStarts[depth] : null;

    /// <summary>The depth of a node.</summary>
    public int DepthOf(int node)
    {
        int level = _levelStarts.BinarySearch(node);
        return level >= 0 ? level : ~level - 1;
    }

    public int ParentOf(int node) =>
        Volatile.Read(ref _parents)[node >> PageBits][node & (PageNodes - 1)];

    public int CallOf(int node) =>
        Volatile.Read(ref _calls)[node >> PageBits][node & (PageNodes - 1)];

    /// <summary>Adds a node. Parents come in ascending order.</summary>
    public void Add(int parent, int call)
    {
        if (parent >= _levelStarts[^1])
        {
            _levelStarts.Add(Count);
        }

        Append(parent, (ushort)call);
    }

    /// <summary>The calls that lead from the start to a node.</summary>
    public List<int> PathTo(int node)
    {
        var path = new List<int>();
        for (int at = node; at != 0; at = ParentOf(at))
        {
            path.Add(CallOf(at));
        }

        path.Reverse();
        return path;
    }

    private void Append(int parent, ushort call)
    {
        int page = Count >> PageBits;
        if ((Count & (PageNodes - 1)) == 0)
        {
            AddPage(page);
        }

        _parents[page][Count & (PageNodes - 1)] = parent;
        _calls[page][Count & (PageNodes - 1)] = call;
        Count++;
    }

    private void AddPage(int page)
    {
        int[][] parents = _parents;
        ushort[][] calls = _calls;
        if (page == parents.Length)
        {
            Array.Resize(ref parents, page * 2);
            Array.Resize(ref calls, page * 2);
        }

        parents[page] = new int[PageNodes];
        calls[page] = new ushort[PageNodes];
        Volatile.Write(ref _parents, parents);
        Volatile.Write(ref _calls, calls);
    }
}
