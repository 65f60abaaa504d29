//! A list that is as good as a tree.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Dense;

proptest! {
    #[test]
    fn it_has_what_a_tree_has(entries: Vec<(u8, u16)>) {
        let mut dense = Dense::default();
        for (key, value) in &entries {
            dense.insert(*key, *value);
        }
        let tree: BTreeMap<u8, u16> = entries.iter().copied().collect();
        for key in 0..=u8::MAX {
            prop_assert_eq!(dense.get(&key), tree.get(&key));
            prop_assert_eq!(dense.contains_key(&key), tree.contains_key(&key));
        }
        prop_assert!(dense.values().eq(tree.values()));
        prop_assert_eq!((dense.len(), dense.last_key()), (tree.len(), tree.keys().last()));
        let text = serde_json::to_string(&dense).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&tree).unwrap());
        prop_assert_eq!(serde_json::from_str::<Dense<u8, u16>>(&text).unwrap(), dense);
    }

    #[test]
    fn what_is_not_there_is_put_there_once(keys: Vec<u8>) {
        let mut dense = Dense::<u8, u32>::default();
        let mut tree = BTreeMap::<u8, u32>::new();
        for key in &keys {
            *dense.get_or_default(*key) += 1;
            *tree.entry(*key).or_default() += 1;
        }
        prop_assert!(keys.iter().all(|key| dense.get(key) == tree.get(key)));
        prop_assert_eq!(dense.len(), tree.len());
    }
}
