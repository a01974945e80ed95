namespace ShmCheck.Harness.Exploring;

/// <summary>A set of keys with open addressing. One thread adds; others may ask at the same time,
/// and then may miss a key that has just been added.</summary>
/// <remarks>The set is cut into parts that grow one by one, so that growing needs room for one
/// part only.</remarks>
internal sealed class NodeSet
{
    private const int PartBits = 6;
    private const int FirstCapacity = 64;
    private const int KeyBytes = 16;
    private readonly Part[] _parts;

    public NodeSet()
    {
        _parts = new Part[1 << PartBits];
        for (int part = 0; part < _parts.Length; part++)
        {
            _parts[part] = new Part(FirstCapacity);
        }

        Bytes = (long)_parts.Length * FirstCapacity * KeyBytes;
    }

    /// <summary>Number of keys.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes that the keys take.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes that adding one more key may take for a moment, beyond
    /// <see cref="Bytes"/>.</summary>
    public long GrowthBytes => _parts.Max(part => (long)part.Capacity) * 2 * KeyBytes;

    /// <summary>The keys, in no order.</summary>
    public IEnumerable<NodeKey> Keys => _parts.SelectMany(part => part.Keys);

    public bool Contains(NodeKey key) => PartOf(key).Contains(key);

    /// <summary>Adds a key.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(NodeKey key)
    {
        ref Part part = ref _parts[IndexOf(key)];
        if (part.Contains(key))
        {
            return false;
        }

        if (part.IsFull)
        {
            Bytes += (long)part.Capacity * KeyBytes;
            Volatile.Write(ref part, part.Doubled());
        }

        part.Add(key);
        Count++;
        return true;
    }

    private static int IndexOf(NodeKey key) => (int)(key.High >> (64 - PartBits));

    private Part PartOf(NodeKey key) => Volatile.Read(ref _parts[IndexOf(key)]);

    /// <summary>Slots for keys: a free one is 0, and one that is taken never changes. The second
    /// half is written last, and read first.</summary>
    private sealed class Part(int capacity)
    {
        private readonly ulong[] _words = new ulong[capacity * 2];
        private int _count;

        public int Capacity => _words.Length / 2;

        public bool IsFull => _count >= Capacity / 4 * 3;

        public IEnumerable<NodeKey> Keys
        {
            get
            {
                for (int at = 0; at < _words.Length; at += 2)
                {
                    if (_words[at] != 0 || _words[at + 1] != 0)
                    {
                        yield return new NodeKey(_words[at], _words[at + 1]);
                    }
                }
            }
        }

        public bool Contains(NodeKey key)
        {
            int mask = _words.Length - 1;
            for (int at = Home(key); ; at = (at + 2) & mask)
            {
                ulong low = Volatile.Read(ref _words[at + 1]);
                ulong high = _words[at];
                if (low == key.Low && high == key.High)
                {
                    return true;
                }

                if (low == 0 && high == 0)
                {
                    return false;
                }
            }
        }

        public void Add(NodeKey key)
        {
            int mask = _words.Length - 1;
            int at = Home(key);
            while (_words[at] != 0 || _words[at + 1] != 0)
            {
                at = (at + 2) & mask;
            }

            _words[at] = key.High;
            Volatile.Write(ref _words[at + 1], key.Low);
            _count++;
        }

        public Part Doubled()
        {
            var doubled = new Part(Capacity * 2);
            foreach (NodeKey key in Keys)
            {
                doubled.Add(key);
            }

            return doubled;
        }

        private int Home(NodeKey key) => (int)(key.Low & (ulong)(Capacity - 1)) * 2;
    }
}
